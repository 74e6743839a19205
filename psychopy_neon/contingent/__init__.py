"""What gaze does: pure logic of gaze-contingent experiments; gaze and time are arguments."""
