"""What makes lessons a course: the front page, progress, exercises, hand-outs, the server, a look at the machine."""
