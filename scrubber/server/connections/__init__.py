"""Connections, which cost no thread until there is a whole request on them.

One loop for each process (`loop`) takes connections, reads what arrives without waiting for it (`arriving`) and puts
whole requests into queues (`queues`); threads answer them (`answering`), and the loop sends what a client has not taken
at once (`connection`). What the application never sees is answered by the loop itself (`refusals`).
"""
