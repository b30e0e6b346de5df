import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { PayloadCodec } from 'nestjs-tasks';

/** AES-256-GCM under named keys of 32 bytes. The first one encrypts; all of them decrypt. */
export function aesCodec(keys: readonly [name: string, key: Buffer][]): PayloadCodec {
  const known = new Map(keys);
  const [[current, key]] = keys;
  return {
    encode(json) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(current));
      const data = Buffer.concat([nonce, cipher.update(json), cipher.final(), cipher.getAuthTag()]);
      return `${current}:${data.toString('base64')}`;
    },
    decode(text) {
      const [name, base64 = ''] = text.split(':');
      const used = known.get(name);
      if (!used) throw new Error(`there is no key '${name}'`);
      const data = Buffer.from(base64, 'base64');
      const options = { authTagLength: 16 };
      const decipher = createDecipheriv('aes-256-gcm', used, data.subarray(0, 12), options).setAAD(Buffer.from(name));
      decipher.setAuthTag(data.subarray(-16));
      return Buffer.concat([decipher.update(data.subarray(12, -16)), decipher.final()]).toString();
    },
  };
}
