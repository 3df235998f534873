"""Further right and wrong answers for single checks: what readers gave, what once passed or was refused wrongly."""

import numpy as np

# chapter -> check -> function of the chapter's names that returns (right answers, wrong answers), tuples each


def _send_data_forward_maximum(space):
    W1, b1, W2, b2 = [[1, 0, 0], [-1, 1, -1]], [0, 0, 0], [[1], [1], [-1]], [0]
    scaled = (np.multiply(W1, 1e-3), b1, np.multiply(W2, 1e3), b2)
    four = ([[1, -1, 0, 0], [0, 0, 1, -1]], [0] * 4, [[0.5], [0.5], [0.5], [0.5]], [0])
    right = [
        scaled,
        ([[1, 0, 0], [-1, 1, -1]], b1, W2, 0),
        ([[1, -1, 1, -1], [1, -1, -1, 1]], [0] * 4, [[0.5], [-0.5], [0.5], [0.5]], [0]),
    ]
    wrong = [([[1, 0], [-1, 1]], [0, shift], [[1], [1]], [-shift]) for shift in (10.0, 1001, 1e5, 1e9)]
    wrong += [([[1, 0], [-1, 1e-6]], [0, 1], [[1], [1e6]], [-1e6]), four]
    return right, wrong


CASES = {
    "02-send-data-forward": {
        "check_biases": lambda space: (
            [([[20, 7]], [0, 54], [370]), ([20, 7], np.array([[0], [54]]), "370")],
            [([20, 7], [0, 54], 370.5)],
        ),
        "check_shapes": lambda space: ([((100, 50), 50, (32, 1)), ("(100, 50)", (50), [32, 1])], []),
        "check_maximum": _send_data_forward_maximum,
    },
}
