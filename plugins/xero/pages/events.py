"""Connection events: what happened, newest first."""

from fastapi import APIRouter

router = APIRouter()
