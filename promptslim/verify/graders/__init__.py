"""Graders, one module each: found by walking this folder.

A module has ``KINDS``, the assertion types that it grades; ``check(check)``, which says what is wrong with an
assertion before anything is spent (None: nothing); and ``grade(answer, check)``. ``GRADED`` is true where scores
between 0 and 1 are meant, so that a suite may be proved on them.
"""
