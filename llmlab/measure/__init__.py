"""What did the model learn, and where did it get it from?

index.py finds any piece of text in the training set; claims.py holds each claim against the world; dreams.py puts
the two together; exam.py asks for facts and counts how often each was read; compress.py packs files with what the
model knows.
"""
