"""Connect to Xero: to its login, back with a code, and which organisation is which."""

from fastapi import APIRouter

router = APIRouter()
