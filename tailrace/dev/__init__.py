"""The whole system on one machine, on real parts: MongoDB, an emulated AWS, the forwarder's zip and the tailer."""
