"""Documents: what waits, what failed and why, what was pushed."""

from fastapi import APIRouter

router = APIRouter()
