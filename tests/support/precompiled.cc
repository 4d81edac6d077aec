// Nothing: the library of this file is there for its precompiled header.
