// Composes the product: every service once, in order, from its dependencies. No container.
export interface Services {}
