import { Injectable } from '@nestjs/common';

/** A bank that takes no payments before it is opened, so that there is something to put right. */
@Injectable()
export class Bank {
  isOpen = false;

  charge(order: string): { order: string; paid: boolean } {
    if (!this.isOpen) throw new Error(`The bank is closed, so order ${order} was not paid.`);
    return { order, paid: true };
  }
}
