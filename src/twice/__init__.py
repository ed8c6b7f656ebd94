"""The package of the book *Deep Learning, Twice*: what its chapters build, and how it checks itself.

``import twice`` needs NumPy alone; Keras is imported only inside the functions that compare with it.
"""
