"""Times to times: RTP ticks to device ns, device ns to host ns, each with a bound."""
