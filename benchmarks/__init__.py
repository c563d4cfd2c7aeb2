"""Speed, latency and memory of the tailer, always beside baselines that were measured in the same run."""
