"""Rows that were not let in, and why."""

from fastapi import APIRouter

router = APIRouter()
