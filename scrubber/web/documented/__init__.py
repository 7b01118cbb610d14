"""Beside the path: what the API's documentation says of each address: parameters, bodies, answers, problems."""
