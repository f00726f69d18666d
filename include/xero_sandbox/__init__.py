"""A local server that behaves as Xero does where a client can notice.

An independent program: it imports nothing of the project that it replaces Xero for. All state is in memory and
made from a seed, so the same seed gives the same organisations, ids and dates on every start.

    python -m xero_sandbox --port 8787 --profile demo

`xero_sandbox.control` describes how to control it (limits, faults, changes, clock).
"""
