"""A DCGAN in Keras, and the fake-image detector that comes out of it."""
