"""Runs the service under gunicorn, and takes new rules into it without a restart or a dropped request.

On HUP the main process (`main_process`) forks a process that checks the new rules (`reload`) and publishes them in
memory that every worker reads (`shared_rulebook`). Each worker prepares them in a thread of its own (`reloader`). Then
one number is changed, and every request that begins after that is answered by the new rules. The outcome is recorded
for the commands of this machine (`registry`).
"""
