"""Compares this project with the reference way in speed, start time, memory and size.

`python -m benchmarks` trains models and lets every way take turns, each in its own process. It
writes tables and plots. No test fails because of a measured time. See docs/performance.md.
"""
