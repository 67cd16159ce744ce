// This module is filled by its first capability.
