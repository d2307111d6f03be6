"""Datasets: from raw folders or drawn pictures to trainA, trainB, testA, testB and a manifest."""
