// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The RUSM in C authors

/** Style sheets are imported for the bundler's sake only. */
declare module "*.css";
