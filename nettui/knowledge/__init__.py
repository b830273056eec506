"""What each counter of loss and each drop reason means: data, and how to look it up."""
