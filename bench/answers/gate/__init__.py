"""A gate for CI: is this revision worse than a committed baseline, or than another revision measured beside it?"""
