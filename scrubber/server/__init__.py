"""gunicorn, its connections, and new rules in a running service without a restart or a dropped request.

A process of its own checks them (`attempt`) and lays them on a shelf that every worker sees (`shelf`). The workers get
ready aside (`following`); then one number is changed, and each request that begins after it is answered by the new
rules. `arbiter` starts all this on HUP, `record` tells commands of this machine what came of it.
"""
