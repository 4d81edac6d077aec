"""Lists of processors, as /proc and cpusets tell them."""


def parse_processors(text):
    """{0, 1, 2, 5} of "0-2,5"."""
    parts = [part.split("-") for part in text.split(",")]
    return {number for part in parts for number in range(int(part[0]), int(part[-1]) + 1)}
