import { Injectable } from '@nestjs/common';

/** Whether this instance is on its way out: it still serves, but balancers should send it nothing new. */
@Injectable()
export class Draining {
  begun = false;

  begin(): void {
    this.begun = true;
  }
}
