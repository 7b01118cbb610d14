"""Handles client connections so that one takes a thread only for a request that has arrived completely.

Each process has an event loop (`loop`) that accepts connections and watches their deadlines and memory. Its worker
(`worker`) reads requests without blocking (`requests`) and puts complete ones into queues, from which threads answer
them (`answers`); the loop then sends what a client has not taken at once. Requests that the application never sees,
such as malformed ones, are answered by the worker itself.
"""
