// A budget of memory that is never short, for tests of parts that stand alone.

import { MemoryBudget } from "../../src/relay/memory_budget.ts";

export const UNLIMITED_MEMORY = new MemoryBudget({ maxMemoryBytes: Infinity });
