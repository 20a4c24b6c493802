"""Kinesis in and out: records, PutRecords, rejections. It knows bytes, no rides and no models."""
