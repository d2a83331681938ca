// Methods of Node's Buffer that its type package leaves out: conversions without the cost of naming an encoding.
interface Buffer {
  latin1Slice(start?: number, end?: number): string
  latin1Write(text: string, offset?: number, length?: number): number
}
