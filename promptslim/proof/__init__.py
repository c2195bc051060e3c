"""Proofs that a shorter prompt is not worse: the statistics, ``promptslim.lock``, its evidence, and their check.

Standard library only: a proof is recomputed in CI without keys and without anything to install.
"""
