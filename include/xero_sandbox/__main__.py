"""python -m xero_sandbox"""

from .server import main

main()
