"""The parts of a prompt text: sections, items, sentences, examples, fences; and which of them repeat each other."""
