// Gives the package manager an object file; the shim is its header.
