"""The stream on a laptop: AWS's APIs in-process, and an event source mapping as Lambda's."""
