/** The port at which the program in a pod listens that makes connections for `meshctl trace-route --live`. */
export const CALLER_PORT = 15_097;

/** Header of its answer: the address from which a connection was made, by which access logs tell of it. */
export const DIALLED_FROM = "mesh-dialled-from";

/** Header of its answer where no connection came about: why. */
export const NOT_DIALLED = "mesh-not-dialled";
