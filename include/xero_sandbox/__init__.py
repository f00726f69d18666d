"""A local server that behaves as Xero does where a client can notice.

An independent program: it imports nothing of the project it stands in for Xero for. All state is in memory and
made from a seed, so the same seed gives the same organisations, ids and dates on every start.

    python -m xero_sandbox --port 8787 --profile demo

How to control it (limits, faults, changes, clock): see `xero_sandbox.control`.
"""
