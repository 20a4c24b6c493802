"""Scripts that are timed from their first line: the product's, the reference's, and boto3 alone.

Each is run in a process of its own with a file of Kinesis events, one of a ride and one of 1,000, a
line each, and prints a line of JSON.
"""
