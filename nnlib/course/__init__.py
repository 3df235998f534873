"""The kit around the library, which chapters use and nobody has to read.

`datasets` makes and loads the tables, `augment` moves pictures at random, `plots` draws, `explore` turns a drawing
function into sliders, `exercises` says whether an answer is right, `recogniser` lets people draw a digit, `probe`
measures signals layer by layer, `transplant` carries networks into frameworks and back. Each is imported on its own,
and loads what it needs (pandas, Matplotlib, ipywidgets) when it is used: `pip install "nnlib[course]"` brings it,
except for the frameworks.
"""
