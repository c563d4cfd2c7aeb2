"""What AWS answers, and what a queue must be able to do."""
