"""Synchronise: pull one data set of one organisation now, and watch it."""

from fastapi import APIRouter

router = APIRouter()
