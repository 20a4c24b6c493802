"""Speed, size and memory against the reference way, side by side in one run; docs/performance.md.

`python -m benchmarks` trains models, has every way of predicting take turns, each in a process of
its own (`worker`), and writes results as JSON, tables and plots. Nothing here passes or fails.
"""
