"""What the commands of this project share: lines on a terminal, times, and AWS's answers."""
