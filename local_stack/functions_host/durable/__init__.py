"""Durable Functions for the local host: history, replay, activities, timers, entities and the webhooks."""

from __future__ import annotations
