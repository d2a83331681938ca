/** The version INFO, /varz and -v show: clients and tools judge features by it, so it names the official release that ours equals. */
export const VERSION = '2.15.2'
