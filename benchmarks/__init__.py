"""Speed, latency and memory of the tailer, compared with baselines of the same run."""
