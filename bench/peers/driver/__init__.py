# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The RUSM in C authors
"""The driver of the peer benchmark: plans rounds, runs programs, summarises, prints, records."""
