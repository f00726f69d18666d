"""What needs a hand, and what came through lately."""

from fastapi import APIRouter

router = APIRouter()
