"""Lambda's event source mapping for Kinesis, for laptops and tests.

It imports nothing from the rest of this project.
"""
