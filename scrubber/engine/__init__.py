"""Holds facts against rules. No look-ups but code lists, no money, no texts of rules."""

from __future__ import annotations

from scrubber.engine.durable import DurableEngine
from scrubber.engine.plain import PlainEngine
from scrubber.engine.program import CodeLists, Engine, EngineFact, EngineTest

__all__ = ["CodeLists", "DurableEngine", "Engine", "EngineFact", "EngineTest", "PlainEngine"]
