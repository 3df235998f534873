"""Right and wrong answers to checks of the part "insurance"."""

import numpy as np


def _know_jump(space):
    def either_side(x, y, cuts, width):  # the cut itself on both sides, as once passed
        def jump(c):
            left, right = y[(x >= c - width) & (x <= c)], y[(x >= c) & (x <= c + width)]
            return right.mean() - left.mean() if min(len(left), len(right)) >= 10 else -np.inf

        return max(cuts, key=jump)

    return [], [(either_side,)]


def _sweep_own(space):
    table = space["studies"].query("target == 'standardized' and seed < 3 and epochs == 128 and optimizer == 'Adam'")
    means = table.groupby(["learning_rate", "batch_size"]).val_rmse.mean()
    rate, size = means.idxmin()
    best = table[(table.learning_rate == rate) & (table.batch_size == size)]
    return [(best,), (best.drop_duplicates(),)], [(best.drop(columns="seed"),), (best[best.seed < 2],)]


CASES = {
    "02-ask-an-expert": {"check_jump": _know_jump},
    "09-doubt-the-winner": {"check_own": _sweep_own},
}
